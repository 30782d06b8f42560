#pragma once

#include "http.h"
#include "world.h"

// What answers each of Salesforce's routes.
namespace reverse_etl::sandbox::sobjects {

void collection_create(World &world, const Request &request, Answer &answer);
void collection_update(World &world, const Request &request, Answer &answer);
void collection_upsert(World &world, const Request &request, Answer &answer);
void collection_delete(World &world, const Request &request, Answer &answer);
void collection_get(World &world, const Request &request, Answer &answer);
void collection_retrieve(World &world, const Request &request, Answer &answer);

void create_one(World &world, const Request &request, Answer &answer);
void read_one(World &world, const Request &request, Answer &answer);
void update_one(World &world, const Request &request, Answer &answer);
void upsert_one(World &world, const Request &request, Answer &answer);
void delete_one(World &world, const Request &request, Answer &answer);

void query(World &world, const Request &request, Answer &answer);
void query_more(World &world, const Request &request, Answer &answer);
void versions(World &world, const Request &request, Answer &answer);
void limits(World &world, const Request &request, Answer &answer);
void describe(World &world, const Request &request, Answer &answer);

} // namespace reverse_etl::sandbox::sobjects
