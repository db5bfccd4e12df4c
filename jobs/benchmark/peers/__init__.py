"""The same task given to other stream processors, each in the way that its own users write it."""
