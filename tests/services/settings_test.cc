#include "services/server/settings.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "services/realm/config.h"

namespace godwit::server {
namespace {

constexpr Setting kSettings[] = {
    {"listen", "where", "127.0.0.1:1"},
    {"workers", "how many", std::uint64_t{4}},
    {"quota.create_per_day", "how many", std::uint64_t{500}},
};

TEST(Settings, FlagsOverrideTheEnvironmentAndThatTheFile) {
  Settings settings(kSettings);
  EXPECT_EQ(settings.Number("workers"), 4u);
  EXPECT_FALSE(settings.ReadToml("listen = \"a:1\"\nworkers = 5\n[quota]\ncreate_per_day = 6\n"));
  EXPECT_EQ(settings.Text("listen"), "a:1");
  EXPECT_EQ(settings.Number("quota.create_per_day"), 6u);
  const char* environment[] = {"OTHER=1", "GODWIT_X_WORKERS=7", "GODWIT_X_QUOTA_CREATE_PER_DAY=8",
                               nullptr};
  EXPECT_FALSE(settings.ReadEnvironment("GODWIT_X_", environment));
  EXPECT_EQ(settings.Number("workers"), 7u);
  EXPECT_EQ(settings.Number("quota.create_per_day"), 8u);
  EXPECT_FALSE(settings.Set("workers", "9"));
  EXPECT_EQ(settings.Number("workers"), 9u);
}

TEST(Settings, WhatIsUnknownOrOfTheWrongKindIsNamed) {
  struct Row {
    const char* toml;
    const char* names;
  };
  const Row rows[] = {
      {"worker = 1", "worker"},
      {"[quota]\ncreate = 1", "quota.create"},
      {"[quotas]\ncreate_per_day = 1", "quotas.create_per_day"},
      {"workers = \"1\"", "workers"},
      {"workers = -1", "workers"},
      {"workers = 1.5", "workers"},
      {"workers = [1]", "workers"},
      {"listen = 1", "listen"},
      {"listen = \"unfinished", "line 1"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.toml);
    Settings settings(kSettings);
    const auto wrong = settings.ReadToml(row.toml);
    ASSERT_TRUE(wrong);
    EXPECT_NE(wrong->text.find(row.names), std::string::npos);
  }
  Settings settings(kSettings);
  const char* unknown[] = {"GODWIT_X_WORKER=7", nullptr};
  EXPECT_TRUE(settings.ReadEnvironment("GODWIT_X_", unknown));
  const char* no_number[] = {"GODWIT_X_WORKERS=7a", nullptr};
  const auto wrong = settings.ReadEnvironment("GODWIT_X_", no_number);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->text.find("7a"), std::string::npos);
  EXPECT_TRUE(settings.Set("worker", "1"));
  EXPECT_TRUE(settings.Set("workers", ""));
  EXPECT_TRUE(settings.Set("workers", "99999999999999999999"));
  EXPECT_TRUE(settings.ReadFile("/nonexistent/godwit.toml"));
  EXPECT_TRUE(settings.ReadFile("/"));
  EXPECT_EQ(settings.Number("workers"), 4u);
}

TEST(Settings, NamesAreFlagsAndVariables) {
  EXPECT_EQ(FlagOf(kSettings[2]), "--quota-create-per-day");
  EXPECT_EQ(VariableOf("GODWIT_X_", kSettings[2]), "GODWIT_X_QUOTA_CREATE_PER_DAY");
}

std::string WhyNot(std::initializer_list<std::pair<const char*, const char*>> values) {
  Settings settings(realm::DeclaredSettings());
  EXPECT_FALSE(settings.Set("certificate", "a.crt"));
  EXPECT_FALSE(settings.Set("key", "a.key"));
  EXPECT_FALSE(settings.Set("database", "dbname=cases"));
  for (const auto& [name, value] : values) EXPECT_FALSE(settings.Set(name, value));
  const auto config = realm::ConfigOf(settings);
  const auto* wrong = std::get_if<SettingError>(&config);
  return wrong == nullptr ? std::string() : wrong->text;
}

TEST(RealmConfig, TakesNoSecretAndNothingOutOfRange) {
  EXPECT_EQ(WhyNot({}), "");
  for (const char* conninfo : {"dbname=a password=hunter2", "password = hunter2", "PASSWORD=x",
                               "postgres://u:hunter2@h/d", "sslpassword=hunter2"}) {
    const std::string why = WhyNot({{"database", conninfo}});
    EXPECT_NE(why.find("database"), std::string::npos) << conninfo;
    EXPECT_EQ(why.find("hunter2"), std::string::npos);
  }
  EXPECT_EQ(WhyNot({{"database", "dbname=a passfile=/etc/godwit/pass"}}), "");
  EXPECT_NE(WhyNot({{"certificate", ""}}), "");
  EXPECT_NE(WhyNot({{"key", ""}}), "");
  EXPECT_NE(WhyNot({{"database", ""}}), "");
  EXPECT_NE(WhyNot({{"workers", "0"}}), "");
  EXPECT_NE(WhyNot({{"committers", "0"}}), "");
  EXPECT_NE(WhyNot({{"connections", "100000"}}), "");
  EXPECT_NE(WhyNot({{"log_level", "trace"}}), "");
}

TEST(RealmConfig, TheDefaultsAreThoseOfTheProtocol) {
  Settings settings(realm::DeclaredSettings());
  EXPECT_EQ(settings.Number("quota.puk_rotate_per_day"), 4u);
  EXPECT_EQ(settings.Number("quota.device_add_per_day"), 4u);
  EXPECT_EQ(settings.Number("quota.create_per_day"), 500u);
  EXPECT_EQ(settings.Number("quota.epochs_per_vault_day"), 24u);
  EXPECT_EQ(settings.Number("quota.epochs_per_shared_vault_day"), 200u);
  EXPECT_EQ(settings.Number("quota.bytes_per_day"), std::uint64_t{1} << 30);
  EXPECT_EQ(settings.Number("quota.freeze_bytes_per_day"), std::uint64_t{4} << 20);
  EXPECT_EQ(settings.Number("quota.revokes_of_others_per_day"), 10u);
}

}  // namespace
}  // namespace godwit::server
