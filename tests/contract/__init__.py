"""Fakes and adapters keep the same promises; the double answers as the origin does."""
