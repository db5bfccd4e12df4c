"""From labelled sentences to a sentiment model: corpora, splits without leaks, fitting, export, and how good it is."""
