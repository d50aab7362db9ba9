"""The verbs: each asks the views one question and answers with a typed finding and its evidence."""
