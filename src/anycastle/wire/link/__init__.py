"""What agents and controllers say to each other: JSON messages, each a frame of text."""
