"""Tables of other hands, read by a map: workbooks, text, features that were computed elsewhere."""
