# Writes OUTPUT: the WIT files and the guest runtime as C++ string literals.
string(REPLACE "," ";" WIT_FILES "${WIT_FILES}")

# file(READ) takes brackets and semicolons for a list's, but only where the text is used as one: it is always quoted
# here.
set(code "// Generated from wit/ and ${GUEST_RUNTIME}.\n#include \"torvyn/contracts/wit.h\"\n\nnamespace torvyn::contracts {\nnamespace {\n\n")
string(APPEND code "constexpr WitFile packages[] = {\n")
foreach(path IN LISTS WIT_FILES)
  file(READ "${ROOT}/${path}" text)
  cmake_path(GET path PARENT_PATH folder)
  cmake_path(GET folder FILENAME package)
  string(APPEND code "    {\"${package}\", \"${path}\", R\"torvyn_text(${text})torvyn_text\"},\n")
endforeach()
file(READ "${ROOT}/${GUEST_RUNTIME}" text)
string(APPEND code "};\n\nconstexpr std::string_view runtime = R\"torvyn_text(${text})torvyn_text\";\n\n}  // namespace\n\n")
string(APPEND code "std::span<const WitFile> builtin_packages() noexcept { return packages; }\n")
string(APPEND code "std::string_view guest_runtime() noexcept { return runtime; }\n\n}  // namespace torvyn::contracts\n")
file(WRITE "${OUTPUT}" "${code}")
