"""Challengers: models that say of every row what they would have said, are compared with the champion, and take its place by rule."""
