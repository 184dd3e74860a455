"""The Lambda functions, a module each, and what they share: translation, wiring, observing."""
