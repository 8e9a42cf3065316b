"""Verdicts turned into text, Markdown and annotations."""
