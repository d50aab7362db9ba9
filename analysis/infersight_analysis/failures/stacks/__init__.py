"""Stack traces as Python, Java, JavaScript and Go print them, read into exceptions, their causes and their frames."""
