# Run by cpack: what a package puts outside of its prefix, and `make install` leaves alone.
# By this name in the tree it would be a project of it.
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/service.toml" DESTINATION /etc/torvyn RENAME Torvyn.toml)
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/torvyn.service" DESTINATION /lib/systemd/system)
