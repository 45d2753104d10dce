# torvyn_library(): one subsystem of src/torvyn, with its tests and fuzzers.

include(GoogleTest)

add_custom_target(unit_tests COMMENT "All unit tests are built")
add_custom_target(fuzzers COMMENT "All fuzzers are built")

# Warnings are errors. Private: whoever links the library chooses their own.
function(torvyn_compile_options target)
  target_compile_options(
    ${target}
    PRIVATE -Wall
            -Wextra
            -Wconversion
            -Wshadow
            -Werror
            $<$<CXX_COMPILER_ID:GNU>:-Warith-conversion>)
endfunction()

# "config" is the subsystem torvyn::config; a name with "::" in it is a target already.
function(torvyn_link_targets result)
  set(targets)
  foreach(dep IN LISTS ARGN)
    if(NOT dep MATCHES "::")
      string(PREPEND dep "torvyn::")
    endif()
    list(APPEND targets ${dep})
  endforeach()
  set(${result} ${targets} PARENT_SCOPE)
endfunction()

# A fuzzer's entry point under a name of its own, and a test that hands it every file of its corpus.
function(torvyn_corpus_test test source)
  cmake_path(GET source STEM stem)
  string(REGEX REPLACE "_fuzz$" "" fuzzer "${stem}")
  set(entry torvyn_${stem})
  set_source_files_properties(${source} PROPERTIES COMPILE_DEFINITIONS LLVMFuzzerTestOneInput=${entry})
  configure_file("${PROJECT_SOURCE_DIR}/cmake/corpus_test.cc.in" ${stem}_test.cc @ONLY)
  target_sources(${test} PRIVATE ${source} "${CMAKE_CURRENT_BINARY_DIR}/${stem}_test.cc")
endfunction()

# torvyn_library(
#   NAME config                     # target torvyn_config, alias torvyn::config
#   SOURCES manifest.cc …
#   HEADERS manifest.h …            # the public ones: other subsystems may include them, each compiles alone, no third-party
#                                   # includes. A header not listed is private to the folder.
#   DEPS types …                    # subsystems that the public headers or the sources use
#   [PRIVATE_DEPS fmt::fmt …]       # libraries that only the sources use; the tests may too
#   [TESTS manifest_test.cc …]      # all in one executable, torvyn_config_test
#   [TEST_DEPS observability …]     # subsystems or libraries that only the tests use
#   [NOT_INSTALLED]                 # not for programs that embed Torvyn
#   [FUZZERS manifest_fuzz.cc …])   # one executable each, torvyn_manifest_fuzz, in the `fuzz` preset; elsewhere the tests go
#                                   # through the corpus, tests/fuzz/corpus/manifest
#
# Tests and fuzzers see TORVYN_TEST_SOURCE_DIR (the repository) and TORVYN_TEST_COMPONENTS_DIR (the built guest components) as string
# literals.
function(torvyn_library)
  cmake_parse_arguments(PARSE_ARGV 0 arg "NOT_INSTALLED" "NAME" "SOURCES;HEADERS;DEPS;PRIVATE_DEPS;TESTS;TEST_DEPS;FUZZERS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME OR NOT arg_SOURCES OR NOT arg_HEADERS)
    message(FATAL_ERROR "torvyn_library needs NAME, SOURCES and HEADERS; doesn't know: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  set(library torvyn_${arg_NAME})
  torvyn_link_targets(deps ${arg_DEPS})
  torvyn_link_targets(private_deps ${arg_PRIVATE_DEPS})
  torvyn_link_targets(test_deps ${arg_TEST_DEPS})

  add_library(${library} STATIC ${arg_SOURCES})
  add_library(torvyn::${arg_NAME} ALIAS ${library})
  target_sources(
    ${library}
    PUBLIC FILE_SET HEADERS
    BASE_DIRS "${PROJECT_SOURCE_DIR}/src"
    FILES ${arg_HEADERS})
  target_compile_features(${library} PUBLIC cxx_std_23)
  target_link_libraries(${library} PUBLIC ${deps} PRIVATE ${private_deps})
  torvyn_compile_options(${library})
  if(NOT arg_NOT_INSTALLED)
    set_target_properties(${library} PROPERTIES EXPORT_NAME ${arg_NAME})
    install(
      TARGETS ${library}
      EXPORT torvyn_targets
      ARCHIVE COMPONENT development
      FILE_SET HEADERS COMPONENT development)
    set_property(GLOBAL APPEND PROPERTY torvyn_installed_libraries ${library})
    list(TRANSFORM arg_HEADERS PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
    set_property(GLOBAL APPEND PROPERTY torvyn_public_headers ${arg_HEADERS})
  endif()

  if(arg_TESTS)
    set(test ${library}_test)
    add_executable(${test} ${arg_TESTS})
    if(NOT CMAKE_CXX_FLAGS MATCHES "fuzzer")
      foreach(source IN LISTS arg_FUZZERS)
        torvyn_corpus_test(${test} ${source})
      endforeach()
    endif()
    set_target_properties(${test} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
    target_link_libraries(${test} PRIVATE ${library} ${private_deps} ${test_deps} GTest::gmock GTest::gtest_main)
    target_compile_definitions(
      ${test} PRIVATE TORVYN_TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                      TORVYN_TEST_COMPONENTS_DIR="${TORVYN_COMPONENTS_DIR}")
    torvyn_compile_options(${test})
    # 120 s: the slowest test takes seconds; sanitizers on a busy machine take ten times as long.
    gtest_discover_tests(
      ${test}
      TEST_PREFIX "${arg_NAME}."
      DISCOVERY_MODE PRE_TEST
      PROPERTIES LABELS ${arg_NAME} TIMEOUT 120)
    add_dependencies(unit_tests ${test})
  endif()

  # libFuzzer brings its own main, so fuzzers exist only where the whole build is instrumented for it.
  if(CMAKE_CXX_FLAGS MATCHES "fuzzer")
    foreach(source IN LISTS arg_FUZZERS)
      cmake_path(GET source STEM stem)
      add_executable(torvyn_${stem} ${source})
      set_target_properties(torvyn_${stem} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzzers")
      target_link_libraries(torvyn_${stem} PRIVATE ${library} ${private_deps})
      target_link_options(torvyn_${stem} PRIVATE -fsanitize=fuzzer)
      target_compile_definitions(
        torvyn_${stem} PRIVATE TORVYN_TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                               TORVYN_TEST_COMPONENTS_DIR="${TORVYN_COMPONENTS_DIR}")
      torvyn_compile_options(torvyn_${stem})
      add_dependencies(fuzzers torvyn_${stem})
    endforeach()
  endif()
endfunction()
