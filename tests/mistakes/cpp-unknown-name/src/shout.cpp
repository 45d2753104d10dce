#include <torvyn/processor.hpp>

void shout(std::string_view text, torvyn::Output& out) { out.emitt(text); }
TORVYN_PROCESSOR(shout)
