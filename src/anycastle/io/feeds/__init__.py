"""What the Internet is heard by: archives of route collectors, from files, pipes and the web."""
