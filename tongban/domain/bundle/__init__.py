"""The bundle (一件事): one application for several items, which stay cases of their own."""
