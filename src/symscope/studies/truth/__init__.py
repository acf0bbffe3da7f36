"""How often is a true claim accepted, and how often is a method fooled?"""
