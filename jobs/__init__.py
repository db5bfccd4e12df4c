"""What a person starts: the stream job and the programs beside it."""
