"""What rebuilds take: measured in each (`clock`, `own`), kept for other studies (`elsewhere`), and foretold (`estimate`)."""
