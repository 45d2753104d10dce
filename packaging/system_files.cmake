# Run by cpack: what a package puts outside of its prefix, and `make install` leaves alone.
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/Torvyn.toml" DESTINATION /etc/torvyn)
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/torvyn.service" DESTINATION /lib/systemd/system)
