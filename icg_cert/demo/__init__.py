"""The demo's world: people, files and a history, made by the same verbs as everybody's. No real portal loads it."""
