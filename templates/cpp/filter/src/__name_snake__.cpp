// {{name}}: a filter that keeps the elements containing a text.
//
// Setting: `pattern`, the text (main setting; needed).
#include <string>
#include <string_view>

#include <torvyn/filter.hpp>

class Matches {
 public:
  torvyn::Status init(torvyn::Settings& settings) {
    settings.set_main("pattern");  // torvyn run 'stdin ! {{name}}.wasm ERROR ! stdout'
    if (!settings.has("pattern")) return torvyn::invalid_input("no pattern: give pattern=TEXT");
    pattern_ = settings.text("pattern");
    return {};
  }

  bool keep(std::string_view text) const { return text.contains(pattern_); }

 private:
  std::string pattern_;
};

TORVYN_FILTER(Matches)
