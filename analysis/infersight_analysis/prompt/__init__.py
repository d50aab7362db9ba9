"""The prompt of `infersight sql`: a line editor with history and completion, and the commands that begin with a dot."""
