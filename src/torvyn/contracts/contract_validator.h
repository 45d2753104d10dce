// Whether WIT and components keep to the contract: what is wrong, what they are, what they ask for.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "torvyn/contracts/compatibility.h"
#include "torvyn/contracts/wit.h"
#include "torvyn/contracts/wit_model.h"
#include "torvyn/contracts/worlds.h"
#include "torvyn/types/error.h"

namespace torvyn::contracts {

// A role that a world or component fills, and by which interface.
struct FilledRole {
  Role role = Role::processor;
  Contract contract = Contract::element;
  std::string interface;  // "torvyn:streaming/processor@0.1.0"
};

struct WorldReport {
  std::string name;  // in full
  std::vector<FilledRole> roles;
  std::vector<std::string> imports;
  std::vector<std::string> exports;
  WitPlace place;
};

// A folder of WIT.
struct FolderReport {
  std::vector<Error> errors;
  std::vector<Error> warnings;        // their codes are those of errors: a `W` stands before them where they are shown
  std::vector<std::string> packages;  // "torvyn:streaming@0.1.0"; of the folder
  std::vector<WorldReport> worlds;    // of the folder's packages but for copies of the contract's
};

struct ComponentReport {
  std::vector<FilledRole> roles;  // batch forms first
  std::vector<std::string> imports;
  std::vector<std::string> exports;
  std::vector<Error> errors;
  std::vector<Error> warnings;
  std::vector<InterfaceComparison> mismatches;  // of what it was built against with the contract
};

// Thread: any, after it was made.
class ContractValidator {
 public:
  // Over the packages of this Torvyn, or of another contract. Errors: those of wit_model.
  static Result<ContractValidator> create(std::span<const WitFile> packages = builtin_packages());

  const WitModel& contract() const noexcept { return contract_; }

  // Everything that can be said of a folder of WIT; the contract's packages need not lie in it.
  //   E0004  it or a file in it cannot be read
  //   E0100  syntax; E0101 what is not there: all of them, as far as one does not hide another
  //   E0102  no world of the folder exports an interface of the contract (a warning where another one does)
  //   E0200  a copy of a contract package is not what this Torvyn has; E0201 it is of a version that is not compatible
  //   E0110  something is used that is marked as deprecated (a warning)
  FolderReport check_folder(const std::filesystem::path& folder) const;

  // What a component was built against, held against the contract; `name` stands for it in messages.
  //   E0200  an interface has another type than this Torvyn's, with both sides' definitions; E0201 another version
  //   E0110  it imports a function or interface that is marked as deprecated (a warning)
  // That it exports no interface of the contract is no error here: `roles` is empty.
  ComponentReport check_component(const WitModel& component, std::string_view name) const;

 private:
  ContractValidator(std::vector<WitFile> packages, WitModel contract)
      : packages_(std::move(packages)), contract_(std::move(contract)) {}

  std::vector<FilledRole> roles_of(const WitWorld& world) const;

  std::vector<WitFile> packages_;
  WitModel contract_;
};

}  // namespace torvyn::contracts
