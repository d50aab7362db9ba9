"""What requests ask of databases: each statement's statistics, calls made again and again, chatty routes."""
