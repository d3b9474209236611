"""What a picture shows, in sentences computed from its numbers: one topic, one file."""
