# torvyn::bridge: the Rust staticlib in bridge/, built by cargo.
#
# Cargo works in a cache folder outside the clone, which all clones and build folders share: the engine takes about ten minutes
# to compile and is compiled once. Each build folder then has its own copy of the archive.

set(bridge_archive "${CMAKE_BINARY_DIR}/bridge/libtorvyn_bridge.a")
file(GLOB_RECURSE bridge_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bridge/*.rs")

# The depfile adds what cargo saw beside these: files that the sources include, such as WIT.
add_custom_command(
  OUTPUT "${bridge_archive}"
  COMMAND "${PROJECT_SOURCE_DIR}/tools/cargo-bridge" "${bridge_archive}"
  DEPENDS ${bridge_sources} "${PROJECT_SOURCE_DIR}/bridge/Cargo.toml" "${PROJECT_SOURCE_DIR}/bridge/Cargo.lock"
          "${PROJECT_SOURCE_DIR}/tools/cargo-bridge"
  DEPFILE "${bridge_archive}.d"
  COMMENT "Building the bridge to the WebAssembly engine"
  USES_TERMINAL VERBATIM)
add_custom_target(bridge_archive DEPENDS "${bridge_archive}")

# No add_dependencies on purpose: Ninja knows which command makes the archive, so only what links it waits for cargo, and
# C++ compiles meanwhile.
add_library(torvyn::bridge STATIC IMPORTED GLOBAL)
set_target_properties(torvyn::bridge PROPERTIES IMPORTED_LOCATION "${bridge_archive}")
target_include_directories(torvyn::bridge INTERFACE "${PROJECT_SOURCE_DIR}/bridge/include")
target_link_libraries(torvyn::bridge INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
