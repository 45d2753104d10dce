// A processor that turns "SENSOR CELSIUS" into "SENSOR FAHRENHEIT".
#include <cstdlib>
#include <string>
#include <string_view>

#include <torvyn/processor.hpp>

torvyn::Status convert(std::string_view line, torvyn::Output& out) {
  const std::size_t blank = line.find(' ');
  const std::string number(line.substr(blank == std::string_view::npos ? line.size() : blank + 1));
  char* end = nullptr;
  const double celsius = std::strtod(number.c_str(), &end);
  if (end == number.c_str()) return torvyn::invalid_input("not \"SENSOR CELSIUS\": \"" + std::string(line) + "\"");
  out.write(line.substr(0, blank)).print(" %.1f\n", celsius * 9 / 5 + 32);
  return {};
}

TORVYN_PROCESSOR(convert)
