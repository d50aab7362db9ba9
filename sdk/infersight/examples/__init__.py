"""Complete small programs that show a feature in use, each tested; to be copied and changed."""
