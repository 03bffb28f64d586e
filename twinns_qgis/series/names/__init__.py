"""What archives and programs write into the names of files, folders and bands: one grammar, with tables of words.

Pure functions of texts and paths: nothing here opens a file. The tests hold hundreds of real names.
"""
