# Writes OUTPUT: the files named in the list FILES, below ROOT, as C++ string literals.
file(STRINGS "${LIST}" files)

# A literal of more is beyond what the standard promises; splitting the file is kinder to its readers too.
set(literal_bytes_max 65000)

# file(READ) takes brackets and semicolons for a list's, but only where the text is used as one: it is always quoted
# here.
set(code "// Generated from wit/, sdk/ and templates/.\n#include \"torvyn/contracts/embedded.h\"\n\n")
# With `sv` a literal brings its length: counting it while compiling takes a step a byte, and compilers bound the steps
# of a constant expression.
string(APPEND code "namespace torvyn::contracts {\nnamespace {\n\nusing std::literals::operator\"\"sv;\n\n")
string(APPEND code "constexpr EmbeddedFile files[] = {\n")
foreach(path IN LISTS files)
  file(SIZE "${ROOT}/${path}" size)
  if(size GREATER literal_bytes_max)
    message(FATAL_ERROR "${path} has ${size} bytes, and at most ${literal_bytes_max} can be embedded: split it")
  endif()
  file(READ "${ROOT}/${path}" text)
  string(APPEND code "    {\"${path}\"sv, R\"torvyn_text(${text})torvyn_text\"sv},\n")
endforeach()
string(APPEND code "};\n\n}  // namespace\n\n")
string(APPEND code "std::span<const EmbeddedFile> embedded_files() noexcept { return files; }\n\n}  // namespace torvyn::contracts\n")
file(WRITE "${OUTPUT}" "${code}")
