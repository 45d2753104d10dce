// `contracts` alone: the worlds of a folder of WIT, and the roles they fill.
#include <cstdio>

#include "torvyn/contracts/contract_validator.h"

int main(int argc, char** argv) {
  const auto validator = torvyn::contracts::ContractValidator::create();
  if (!validator) return std::fprintf(stderr, "%s\n", validator.error().to_string().c_str()), 1;
  const auto report = validator->check_folder(argc > 1 ? argv[1] : "wit");
  for (const auto& world : report.worlds) std::printf("%s: %zu roles\n", world.name.c_str(), world.roles.size());
  for (const auto& error : report.errors) std::fprintf(stderr, "%s\n", error.to_string().c_str());
  return report.errors.empty() ? 0 : 1;
}
