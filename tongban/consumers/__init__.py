"""What follows the events: the projector and the reactor, each a loop over a feed."""
