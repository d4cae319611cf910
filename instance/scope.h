/* The two words that name an engine. Both backends/ and units/ need them. */
#pragma once

enum scope { SCOPE_SYSTEM, SCOPE_USER };
enum backend_kind { BACKEND_DOCKER, BACKEND_PODMAN };
