#pragma once

#include "http.h"
#include "world.h"

// What answers each of HubSpot's routes.
namespace reverse_etl::sandbox::crm {

void batch_create(World &world, const Request &request, Answer &answer);
void batch_update(World &world, const Request &request, Answer &answer);
void batch_upsert(World &world, const Request &request, Answer &answer);
void batch_archive(World &world, const Request &request, Answer &answer);
void batch_read(World &world, const Request &request, Answer &answer);

void create_one(World &world, const Request &request, Answer &answer);
void update_one(World &world, const Request &request, Answer &answer);
void read_one(World &world, const Request &request, Answer &answer);
void archive_one(World &world, const Request &request, Answer &answer);

void list_properties(World &world, const Request &request, Answer &answer);
void make_property(World &world, const Request &request, Answer &answer);
void list_schemas(World &world, const Request &request, Answer &answer);
void make_schema(World &world, const Request &request, Answer &answer);

void list(World &world, const Request &request, Answer &answer);
void search(World &world, const Request &request, Answer &answer);

} // namespace reverse_etl::sandbox::crm
