// A project's components and flows, looked at without running them: what `check` and `link` share.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "torvyn/config/manifest.h"
#include "torvyn/contracts/contract_validator.h"
#include "torvyn/engine/engine.h"
#include "torvyn/linker/flow_exam.h"
#include "torvyn/types/error.h"

namespace torvyn::cli {

class ProjectExam {
 public:
  // `components`: where built components are; empty = target/ beside the manifest. `manifest` outlives this.
  // Errors: E0007 where the engine cannot be set up.
  static Result<ProjectExam> create(const config::Manifest& manifest, std::filesystem::path components = {});

  const contracts::ContractValidator& validator() const noexcept { return validator_; }

  // The file that a component of the manifest is built to.
  std::filesystem::path file_of(const config::ComponentConfig& component) const;
  bool is_built(const config::ComponentConfig& component) const;
  // Those of the manifest that a flow's nodes name.
  std::vector<const config::ComponentConfig*> components_of(const config::FlowConfig& flow) const;

  // What a built component is and lacks, with its place in the manifest.
  contracts::ComponentReport examine(const config::ComponentConfig& component) const;
  linker::FlowExam examine(const config::FlowConfig& flow) const;

 private:
  ProjectExam(const config::Manifest& manifest, std::filesystem::path components,
              contracts::ContractValidator validator, std::unique_ptr<engine::Engine> engine)
      : manifest_(&manifest),
        components_(std::move(components)),
        validator_(std::move(validator)),
        engine_(std::move(engine)) {}

  // What the manifest says of a node and of the component it names, which is null where it names a file.
  linker::Terms terms_of(const config::NodeConfig& node, const config::ComponentConfig* component) const;

  const config::Manifest* manifest_;
  std::filesystem::path components_;
  contracts::ContractValidator validator_;
  std::unique_ptr<engine::Engine> engine_;
};

}  // namespace torvyn::cli
