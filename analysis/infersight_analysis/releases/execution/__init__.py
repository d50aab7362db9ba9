"""The way back from a release: evidence first, then the rollback itself, then proof that it helped."""
