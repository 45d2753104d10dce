# What is installed beside the subsystems: the umbrella, the shared library, and how others find both.

include(CMakePackageConfigHelpers)

get_property(torvyn_installed_libraries GLOBAL PROPERTY torvyn_installed_libraries)
get_property(torvyn_public_headers GLOBAL PROPERTY torvyn_public_headers)
set(torvyn_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/torvyn")

# libtorvyn.so: all subsystems and the bridge in one, and of what is in it nothing visible but what the public headers declare. Which that is
# changes only with those headers.
set(version_script "${CMAKE_BINARY_DIR}/torvyn.map")
add_custom_command(
  OUTPUT "${version_script}"
  COMMAND "${PROJECT_SOURCE_DIR}/tools/version-script" "${version_script}" ${torvyn_public_headers}
  DEPENDS "${PROJECT_SOURCE_DIR}/tools/version-script" ${torvyn_public_headers}
  COMMENT "Finding out what the shared library shows"
  VERBATIM)
add_custom_target(torvyn_version_script DEPENDS "${version_script}")

add_library(torvyn_shared SHARED "${PROJECT_SOURCE_DIR}/cmake/shared_library.cc")
add_library(torvyn::shared ALIAS torvyn_shared)
add_dependencies(torvyn_shared torvyn_version_script)
set_target_properties(
  torvyn_shared
  PROPERTIES OUTPUT_NAME torvyn
             EXPORT_NAME shared
             VERSION ${PROJECT_VERSION}
             SOVERSION ${PROJECT_VERSION_MAJOR}
             LINK_DEPENDS "${version_script}")
target_compile_features(torvyn_shared PUBLIC cxx_std_23)
target_include_directories(
  torvyn_shared INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
# Between its own parts it calls straight on: nobody else's function of the same name comes in between.
target_link_options(torvyn_shared PRIVATE "LINKER:--version-script,${version_script}" "LINKER:-Bsymbolic" "LINKER:--no-undefined"
                    "LINKER:--exclude-libs,libtorvyn_bridge.a")
# Their objects and not the archives, of which a linker takes only what somebody asks for.
foreach(library IN LISTS torvyn_installed_libraries)
  target_sources(torvyn_shared PRIVATE "$<TARGET_OBJECTS:${library}>")
endforeach()
target_link_libraries(torvyn_shared PRIVATE torvyn::bridge fmt::fmt OpenSSL::SSL OpenSSL::Crypto prometheus-cpp::core Threads::Threads)

install(
  TARGETS torvyn_shared
  EXPORT torvyn_targets
  LIBRARY COMPONENT runtime NAMELINK_COMPONENT development)
set_target_properties(torvyn_umbrella PROPERTIES EXPORT_NAME torvyn)
install(
  TARGETS torvyn_umbrella
  EXPORT torvyn_targets
  FILE_SET HEADERS COMPONENT development)
# An imported archive cannot be exported: the package's file makes it known again.
install(
  FILES "${bridge_archive}"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  COMPONENT development)

install(
  EXPORT torvyn_targets
  NAMESPACE torvyn::
  DESTINATION "${torvyn_package_dir}"
  FILE torvyn-targets.cmake
  COMPONENT development)
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/torvyn-config.cmake.in" "${CMAKE_BINARY_DIR}/package/torvyn-config.cmake"
                              INSTALL_DESTINATION "${torvyn_package_dir}" PATH_VARS CMAKE_INSTALL_LIBDIR)
# Below 1.0 a minor version may change anything.
write_basic_package_version_file("${CMAKE_BINARY_DIR}/package/torvyn-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(
  FILES "${CMAKE_BINARY_DIR}/package/torvyn-config.cmake" "${CMAKE_BINARY_DIR}/package/torvyn-config-version.cmake"
  DESTINATION "${torvyn_package_dir}"
  COMPONENT development)
configure_file("${PROJECT_SOURCE_DIR}/cmake/torvyn.pc.in" "${CMAKE_BINARY_DIR}/package/torvyn.pc" @ONLY)
install(
  FILES "${CMAKE_BINARY_DIR}/package/torvyn.pc"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
  COMPONENT development)

# Documents, contracts, and components to begin with.
install(
  FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/THIRD_PARTY_LICENSES.md"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}"
  COMPONENT runtime)
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/docs/"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}/docs"
  COMPONENT runtime)
install(
  DIRECTORY "${PROJECT_SOURCE_DIR}/wit"
  DESTINATION "${CMAKE_INSTALL_DATADIR}/torvyn"
  COMPONENT runtime
  FILES_MATCHING
  PATTERN "*.wit")
if(TORVYN_BUILD_CLI)
  foreach(component IN ITEMS access-log count-sink grep hello-source upper word-count)
    install(
      FILES "${TORVYN_COMPONENTS_DIR}/${component}.wasm"
      DESTINATION "${CMAKE_INSTALL_DATADIR}/torvyn/components"
      COMPONENT runtime)
  endforeach()
endif()

# cpack: what runs, as a Debian package.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME torvyn)
set(CPACK_PACKAGE_VENDOR Torvyn)
set(CPACK_PACKAGE_CONTACT "The Torvyn developers <torvyn@torvyn.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION
    "Source, processors and sink are components, written in any language, joined by
typed contracts, each in a sandbox of its own. The host owns every buffer,
counts every copy and gives a component nothing that it was not granted.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/packaging/conffiles")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};torvyn;runtime;/")
set(CPACK_INSTALL_SCRIPTS "${PROJECT_SOURCE_DIR}/packaging/system_files.cmake")
include(CPack)
