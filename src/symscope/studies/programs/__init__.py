"""Which programs did networks learn on 62 published tasks, and are they right?"""
