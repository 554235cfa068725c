"""The check of a promise (告知承诺) after the decision that was made on it. A stream beside the closed case."""
