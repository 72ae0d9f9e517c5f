"""An evening on one line as a fluid: who wants what, what the line gives, and what accounting sees of it.

scene.py          what is played: the line, the people, the ways of sharing
people.py         what each of them does: pages, video, downloads, an office; the same wishes for the same seed
films.py          a film as a player fetches it
fluid.py          the physics of one short step: who gets how many bits
accounting.py     what the governor sees, and when its changes arrive: late, and in steps of a minute
play.py           one evening in one way of sharing
measures.py       what came of it: page times, use, fairness, changes
words.py          what the pictures and the table say, in both languages
drawing.py        lines, areas and bars as SVG, light and dark
pictures.py       the pictures for the council
"""
