"""The pipeline of Michaud et al. (2024), stage by stage: normal form, lattice or bits, formulas."""
