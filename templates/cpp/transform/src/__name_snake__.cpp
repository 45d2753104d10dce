// {{name}}: a processor that makes ASCII letters upper case.
#include <string>
#include <string_view>

#include <torvyn/processor.hpp>

std::string shout(std::string_view text) {
  std::string loud(text);
  for (char& c : loud) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return loud;
}

TORVYN_PROCESSOR(shout)
