# Every lab of the library is a test in both worlds: each world runs it twenty times and must give the same trace each
# time, and the two worlds must give the same trace as each other. Where the machine cannot run namespaces, the netns cases
# say so and are skipped (exit status 3).
set(FAREND_LAB_REPEAT 20 CACHE STRING "How often each lab runs in each world")
file(GLOB_RECURSE labs CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/topologies ${CMAKE_SOURCE_DIR}/topologies/*.yaml)
set(lab_runs ${CMAKE_BINARY_DIR}/runs)

foreach(lab ${labs})
  string(REGEX REPLACE "\\.yaml$" "" lab ${lab})
  string(REPLACE "/" "-" folder ${lab})
  # Other people's programs: on the kernel and the real clock, so there is nothing to compare. Skipped where they are not
  # installed (exit status 3, and the verdict says which).
  if(lab MATCHES "^programs/")
    add_test(NAME labs/${lab}
             COMMAND farend run ${CMAKE_SOURCE_DIR}/topologies/${lab}.yaml --repeat 2 --out ${lab_runs}/${folder})
    set_tests_properties(labs/${lab} PROPERTIES LABELS "labs;programs" SKIP_RETURN_CODE 3 TIMEOUT 300 RUN_SERIAL ON)
    continue()
  endif()
  foreach(world sim netns)
    add_test(NAME labs/${lab}/${world}
             COMMAND farend run ${CMAKE_SOURCE_DIR}/topologies/${lab}.yaml --world ${world}
                     --repeat ${FAREND_LAB_REPEAT} --out ${lab_runs}/${folder}-${world})
    set_tests_properties(labs/${lab}/${world} PROPERTIES LABELS "labs;${world}" SKIP_RETURN_CODE 3 TIMEOUT 1200
                         FIXTURES_SETUP ${folder}-${world})
  endforeach()
  add_test(NAME labs/${lab}/same
           COMMAND farend diff ${lab_runs}/${folder}-sim ${lab_runs}/${folder}-netns)
  set_tests_properties(labs/${lab}/same PROPERTIES LABELS "labs;netns" SKIP_RETURN_CODE 3
                       FIXTURES_REQUIRED "${folder}-sim;${folder}-netns")
endforeach()
