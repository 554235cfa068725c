"""The e-licence (电子证照) as the licence library holds it."""
