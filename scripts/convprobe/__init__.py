"""Where does a network look, what do its filters answer to, what does it lose without them?"""
