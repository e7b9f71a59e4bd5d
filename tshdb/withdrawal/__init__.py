"""Consent withdrawn: no byte of the patient is left, what was made with the patient is named, and a certificate says so.

identifiers  the names by which a study knows a patient, and the token that stands in their place
footprint    what the study holds of a patient, and the models that learned from the patient
objects      expression parts without the patient's profiles
erase        the database: rows erased, history scrubbed, cohorts and models by the scope
places       the lines and columns of files that were loaded, and what files call the patient
copies       version control, caches and backups, in the study and around it
files        which files of the study name the patient, and which could not be looked into
deliveries   every file outside of the study that was ever read
planning     what a withdrawal would do
journal      what an interrupted withdrawal has still to do
withdraw     all of it in order, resumable after a crash
tokens       names that are known by their tokens alone, looked for in texts
certificate  what was done, and whether it still holds
tombstones   withdrawn patients cannot come back by a later ingest
again        withdrawals once more, after an older database was copied back
"""
