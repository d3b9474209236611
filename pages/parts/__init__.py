"""What each page is made of: one file or folder per page, named like the page.

In: the run that is looked at, and the service. Out: widgets, figures and sentences on screen.
A part imports `pages.shared` and the library, never another page's part; what two pages need goes to `pages/shared/`.
Open first: the part of the page that you look at; the page itself (`pages/NAME.py`) says in which order its sections come.
"""
