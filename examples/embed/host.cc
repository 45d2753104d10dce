// A host in ten lines: the flows of a Torvyn.toml, run to their ends.
#include <cstdio>

#include "torvyn/prelude.h"

int main(int argc, char** argv) {
  const auto host = torvyn::HostBuilder().with_config_file(argc > 1 ? argv[1] : "Torvyn.toml").build();
  const auto reports = host ? (*host)->run() : torvyn::fail(host.error());
  if (!reports) return std::fprintf(stderr, "%s\n", reports.error().to_string().c_str()), 1;
  for (const torvyn::FlowReport& report : *reports)
    std::printf("%s: %llu delivered\n", report.name.c_str(),
                static_cast<unsigned long long>(report.fates[torvyn::Fate::delivered]));
}
