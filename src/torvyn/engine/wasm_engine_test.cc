// Components: what is one, what is not, and how often they are compiled.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "torvyn/engine/test_guest.h"
#include "torvyn/types/file.h"

namespace torvyn::engine {
namespace {

using contracts::Contract;
using contracts::Role;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class WasmEngineTest : public GuestTest {
 protected:
  WasmEngineTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "torvyn-engine-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    folder_ = pattern;
  }
  ~WasmEngineTest() override { std::filesystem::remove_all(folder_); }

  static std::vector<std::uint8_t> read(const std::filesystem::path& path) {
    Result<std::vector<std::uint8_t>> bytes = read_file(path);
    if (!bytes) {
      ADD_FAILURE() << bytes.error().to_string();
      std::abort();
    }
    return *std::move(bytes);
  }
  static Error error_of(std::span<const std::uint8_t> bytes) {
    Result<std::shared_ptr<Component>> component = engine().compile(bytes, "given.wasm");
    if (component) {
      ADD_FAILURE() << "that is a component";
      std::abort();
    }
    return std::move(component).error();
  }
  static Error error_of(std::string_view text) {
    return error_of(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }

  std::unique_ptr<Engine> engine_with_cache(const std::filesystem::path& cache) {
    Result<std::unique_ptr<Engine>> made =
        WasmEngine::create({.max_instances = 4, .cache_directory = cache, .events = &events_});
    if (!made) std::abort();
    return *std::move(made);
  }
  static std::shared_ptr<Component> load_with(Engine& engine, const std::string& name) {
    Result<std::shared_ptr<Component>> component = engine.load(component_path(name));
    if (!component) {
      ADD_FAILURE() << component.error().to_string();
      std::abort();
    }
    return *std::move(component);
  }
  // That a component does its work: the code that came from the cache is run, not only loaded.
  void expect_works(Component& upper) {
    Result<std::unique_ptr<Instance>> instance = instantiate(upper);
    ASSERT_TRUE(instance) << instance.error().to_string();
    Run in = run_of({"hello"});
    Run out;
    EXPECT_EQ((*instance)->process(in, out).status, CallStatus::ok);
    EXPECT_THAT(texts_of(out), ElementsAre("HELLO"));
  }

  std::filesystem::path folder_;
};

// ---- what is a component ------------------------------------------------------------------------------------------------

TEST_F(WasmEngineTest, TellsItsVersion) { EXPECT_EQ(engine_version(), "48.0.8"); }

TEST_F(WasmEngineTest, DescribesWhatItLoads) {
  const std::shared_ptr<Component> component = load(component_path("grep"));
  EXPECT_EQ(component->name(), component_path("grep").string());
  EXPECT_FALSE(component->from_cache());
  ASSERT_THAT(component->info().stages, SizeIs(1));
  EXPECT_EQ(component->info().stages[0].role, Role::filter);
  EXPECT_EQ(component->info().stages[0].contract, Contract::element);
  EXPECT_TRUE(component->info().has_lifecycle);
  EXPECT_TRUE(component->check_imports());
  std::vector<std::string> imports;
  for (const InterfaceInfo& import : component->info().imports) imports.push_back(import.name);
  EXPECT_THAT(imports, Contains("torvyn:streaming/types@0.1.0"));
  const auto filter =
      std::ranges::find(component->info().exports, "torvyn:filtering/filter@0.1.0", &InterfaceInfo::name);
  ASSERT_NE(filter, component->info().exports.end());
  EXPECT_EQ(filter->kind, "instance");
  EXPECT_THAT(filter->items, Contains("evaluate"));
}

TEST_F(WasmEngineTest, TellsWhichComponentsMayWait) {
  EXPECT_FALSE(load(component_path("upper"))->info().may_block);
  EXPECT_FALSE(load(hostile_component_path("slow"))->info().may_block) << "it asks for the time, and goes on";
  EXPECT_TRUE(load(test_component_path("wasi-wait"))->info().may_block);
}

TEST_F(WasmEngineTest, AMissingFileIsE0210AndAFolderE0004) {
  const auto missing = engine().load(folder_ / "none.wasm");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::component_not_found);
  EXPECT_THAT(missing.error().message(), HasSubstr((folder_ / "none.wasm").string()));
  const auto folder = engine().load(folder_);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code(), ErrorCode::io_failed);
}

TEST_F(WasmEngineTest, WhatIsNoComponentIsE0104AndSaysWhatItIs) {
  using namespace std::string_view_literals;
  const struct {
    std::string_view bytes;
    const char* says;
  } cases[] = {
      {""sv, "empty"},
      {"hello, I am a text\n"sv, "text file"},
      {"(module (func))"sv, "text form"},
      {"\0asm\1\0\0\0"sv, "core module"},
      {"\0asm"sv, "cut off"},
      {"\0asm\x0e\0\1\0"sv, "damaged"},  // a component of a version before 1.0
      {"\x7f\x45LF\1\1\1\0"sv, "not WebAssembly"},
  };
  for (const auto& [bytes, says] : cases) {
    const Error error = error_of(bytes);
    EXPECT_EQ(error.code(), ErrorCode::not_a_component) << says;
    EXPECT_THAT(error.message(), HasSubstr("`given.wasm`"));
    EXPECT_THAT(error.message(), HasSubstr(says));
    EXPECT_FALSE(error.hint().empty()) << says;
  }
}

TEST_F(WasmEngineTest, ATruncatedComponentIsE0104WhereverItWasCut) {
  const std::vector<std::uint8_t> whole = read(component_path("upper"));
  for (const std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{100}, std::size_t{9}}) {
    const Error error = error_of(std::span(whole).first(size));
    EXPECT_EQ(error.code(), ErrorCode::not_a_component) << size;
    EXPECT_THAT(error.message(), HasSubstr("damaged or incomplete"));
  }
}

TEST_F(WasmEngineTest, FlippedBytesGiveE0104OrAComponentAndNeverMore) {
  const std::vector<std::uint8_t> whole = read(component_path("count-sink"));
  std::mt19937 random(20240501);
  int refused = 0;
  for (int round = 0; round < 24; ++round) {
    std::vector<std::uint8_t> damaged = whole;
    for (int flip = 0; flip < 3; ++flip) {
      const std::size_t at = 8 + random() % (damaged.size() - 8);
      damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ (1U << random() % 8));
    }
    const Result<std::shared_ptr<Component>> component = engine().compile(damaged, "damaged.wasm");
    if (component) continue;  // a name or a constant was hit
    ++refused;
    const ErrorCode code = component.error().code();
    EXPECT_TRUE(code == ErrorCode::not_a_component || code == ErrorCode::no_torvyn_interface ||
                code == ErrorCode::version_incompatible)
        << component.error().to_string();
  }
  EXPECT_GT(refused, 0);
}

TEST_F(WasmEngineTest, AComponentWithoutTorvynInterfaceIsE0102) {
  const auto component = engine().load(test_component_path("no-interface"));
  ASSERT_FALSE(component);
  EXPECT_EQ(component.error().code(), ErrorCode::no_torvyn_interface);
  EXPECT_THAT(component.error().message(), HasSubstr("`test:worlds/greeting@1.0.0`"));
  EXPECT_EQ(component.error().detail().component, test_component_path("no-interface").string());

  const auto any = engine().load_any(test_component_path("no-interface"));
  ASSERT_TRUE(any) << any.error().to_string();
  EXPECT_TRUE((*any)->info().stages.empty());
  EXPECT_EQ((*any)->info().exports.at(0).name, "test:worlds/greeting@1.0.0");
}

TEST_F(WasmEngineTest, AComponentOfAnotherContractVersionIsE0201) {
  const auto component = engine().load(test_component_path("other-version"));
  ASSERT_FALSE(component);
  EXPECT_EQ(component.error().code(), ErrorCode::version_incompatible);
  EXPECT_THAT(component.error().message(), HasSubstr("`torvyn:streaming/processor@0.2.0`"));
}

TEST_F(WasmEngineTest, AnImportThatNobodyProvidesIsE0205AndNamed) {
  const std::shared_ptr<Component> component = load(test_component_path("missing-import"));
  const Status checked = component->check_imports();
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code(), ErrorCode::import_not_provided);
  EXPECT_THAT(checked.error().message(), HasSubstr("test:worlds/oracle@1.0.0"));
  const auto instance = instantiate(*component);
  ASSERT_FALSE(instance) << "and whoever does not check is told when instantiating";
  EXPECT_EQ(instance.error().code(), ErrorCode::import_not_provided);
}

TEST_F(WasmEngineTest, WhoeverLoadsTheSameBytesSharesTheCodeForAsLongAsItIsInUse) {
  const Result<std::unique_ptr<Engine>> engine = WasmEngine::create(EngineOptions{});
  ASSERT_TRUE(engine);
  {
    const std::shared_ptr<Component> first = load_with(**engine, "upper");
    EXPECT_FALSE(first->from_cache()) << "there is no cache";
    const std::shared_ptr<Component> second = load_with(**engine, "upper");
    EXPECT_TRUE(second->from_cache());
    EXPECT_EQ(second->digest(), first->digest());
    EXPECT_EQ(&second->info(), &first->info());
    expect_works(*first);
    expect_works(*second);
    EXPECT_FALSE(load_with(**engine, "grep")->from_cache()) << "another component";
  }
  EXPECT_FALSE(load_with(**engine, "upper")->from_cache()) << "nobody uses it any more";
}

// ---- the cache ----------------------------------------------------------------------------------------------------------

TEST_F(WasmEngineTest, TheSecondEngineTakesTheCodeFromTheCache) {
  {
    const std::unique_ptr<Engine> first = engine_with_cache(folder_ / "cache");
    const std::shared_ptr<Component> component = load_with(*first, "upper");
    EXPECT_FALSE(component->from_cache());
    expect_works(*component);
  }
  const std::unique_ptr<Engine> second = engine_with_cache(folder_ / "cache");
  const std::shared_ptr<Component> component = load_with(*second, "upper");
  EXPECT_TRUE(component->from_cache());
  EXPECT_EQ(component->info().stages.at(0).role, Role::processor);
  expect_works(*component);
  EXPECT_FALSE(load_with(*second, "grep")->from_cache()) << "another component";
  EXPECT_THAT(events_.events(), IsEmpty());
}

TEST_F(WasmEngineTest, ADamagedEntryIsCompiledAgainAndReplaced) {
  load_with(*engine_with_cache(folder_ / "cache"), "upper");
  const std::filesystem::path entry = std::filesystem::directory_iterator(folder_ / "cache")->path();
  std::vector<std::uint8_t> bytes = read(entry);
  bytes[bytes.size() / 2] = static_cast<std::uint8_t>(bytes[bytes.size() / 2] ^ 1U);
  ASSERT_TRUE(replace_file(entry, {bytes}, 0600));

  const std::unique_ptr<Engine> engine = engine_with_cache(folder_ / "cache");
  const std::shared_ptr<Component> component = load_with(*engine, "upper");
  EXPECT_FALSE(component->from_cache());
  expect_works(*component);
  EXPECT_TRUE(load_with(*engine_with_cache(folder_ / "cache"), "upper")->from_cache());
}

TEST_F(WasmEngineTest, ACacheThatCannotBeUsedCostsTimeAndAWarningAndNothingElse) {
  std::filesystem::create_directory(folder_ / "cache");
  ASSERT_EQ(chmod((folder_ / "cache").c_str(), 0777), 0);
  const std::unique_ptr<Engine> engine = engine_with_cache(folder_ / "cache");
  const std::shared_ptr<Component> component = load_with(*engine, "upper");
  EXPECT_FALSE(component->from_cache());
  expect_works(*component);
  EXPECT_THAT(events_.events(), ElementsAre(HasSubstr("warn W0004 the compile cache")));
}

TEST_F(WasmEngineTest, ACacheThatCannotBeWrittenIsSaidOnce) {
  const std::unique_ptr<Engine> engine = engine_with_cache(folder_ / "cache");
  std::filesystem::remove_all(folder_ / "cache");
  expect_works(*load_with(*engine, "upper"));
  load_with(*engine, "grep");
  EXPECT_THAT(events_.events(), ElementsAre(HasSubstr("compiling without a cache")));
}

// ---- instances ----------------------------------------------------------------------------------------------------------

TEST_F(WasmEngineTest, MemoryThatIsTooSmallToStartInIsE0310) {
  options_.max_memory_bytes = 64 * 1024;
  const auto instance = instantiate(*load(component_path("upper")));
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code(), ErrorCode::memory_budget);
  EXPECT_THAT(instance.error().message(), HasSubstr("limit of 65536 bytes"));
  EXPECT_THAT(instance.error().hint(), HasSubstr("max_memory"));
}

TEST_F(WasmEngineTest, OneInstanceMoreThanTheEngineHasRoomForIsE0312) {
  Result<std::unique_ptr<Engine>> small =
      WasmEngine::create({.max_instances = 2, .cache_directory = {}, .events = nullptr});
  ASSERT_TRUE(small) << small.error().to_string();
  const std::shared_ptr<Component> component = load_with(**small, "upper");
  Result<std::unique_ptr<Instance>> first = instantiate(*component);
  Result<std::unique_ptr<Instance>> second = instantiate(*component);
  ASSERT_TRUE(first && second);
  const auto third = instantiate(*component);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code(), ErrorCode::instance_limit);
  first->reset();
  EXPECT_TRUE(instantiate(*component)) << "the room of one that has gone is free again";
}

TEST_F(WasmEngineTest, AnEngineWithoutAPoolOfInstancesWorksToo) {
  Result<std::unique_ptr<Engine>> engine =
      WasmEngine::create({.max_instances = 0, .cache_directory = {}, .events = nullptr});
  ASSERT_TRUE(engine) << engine.error().to_string();
  expect_works(*load_with(**engine, "upper"));
}

TEST_F(WasmEngineTest, AnInstanceKeepsItsComponentAndItsEngineAlive) {
  Result<std::unique_ptr<Engine>> engine =
      WasmEngine::create({.max_instances = 2, .cache_directory = {}, .events = nullptr});
  ASSERT_TRUE(engine);
  std::shared_ptr<Component> component = load_with(**engine, "upper");
  Result<std::unique_ptr<Instance>> instance = instantiate(*component);
  ASSERT_TRUE(instance);
  component.reset();
  engine->reset();
  Run in = run_of({"hello"});
  Run out;
  EXPECT_EQ((*instance)->process(in, out).status, CallStatus::ok);
  EXPECT_THAT(texts_of(out), ElementsAre("HELLO"));
}

TEST_F(WasmEngineTest, CountsTheEnginesOwnAllocations) {
  const std::uint64_t before = engine_allocations();
  load(component_path("upper"));
  EXPECT_GT(engine_allocations(), before);
}

}  // namespace
}  // namespace torvyn::engine
