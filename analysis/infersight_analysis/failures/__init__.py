"""What failed: one failure out of all the records that it left, and groups of failures that are the same fault."""
