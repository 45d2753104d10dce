// libtorvyn.so is made of archives; a library wants a source of its own.
