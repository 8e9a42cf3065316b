"""Contracts on data: read, compared, and turned from counts into findings. Pure."""
