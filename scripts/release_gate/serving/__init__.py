"""A served model: asked and checked over HTTP."""
