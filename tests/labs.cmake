# Every lab of the library is a test in both worlds: each world runs it twenty times and must give the same trace each
# time, and the two worlds must give the same trace as each other. Where the machine cannot run namespaces, the netns cases
# say so and are skipped (exit status 3). A lab that `promises: verdict` has the kernel's own NAT in it: it runs in
# namespaces only, and must give the same verdict each time.
set(FAREND_LAB_REPEAT 20 CACHE STRING "How often each lab runs in each world")
# On the kernel some labs take seconds: those about wires talk for minutes, and the kernel's own NAT is set up anew each time.
set(FAREND_LAB_REPEAT_SLOW 4 CACHE STRING "How often the slow ones run in namespaces")
# A thousand namespaces take half a minute to make. Once there is enough: `same` compares it with the simulated run.
set(once_in_namespaces "^scale/")
file(GLOB_RECURSE labs CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/topologies ${CMAKE_SOURCE_DIR}/topologies/*.yaml)
set(lab_runs ${CMAKE_BINARY_DIR}/runs)

foreach(lab ${labs})
  file(STRINGS ${CMAKE_SOURCE_DIR}/topologies/${lab} promise REGEX "^promises: *verdict")
  if(promise)
    set(worlds netns)
  else()
    set(worlds sim netns)
  endif()
  string(REGEX REPLACE "\\.yaml$" "" lab ${lab})
  string(REPLACE "/" "-" folder ${lab})
  # Other people's programs: on the kernel and the real clock, so there is nothing to compare. Skipped where they are not
  # installed (exit status 3, and the verdict says which).
  if(lab MATCHES "^programs/")
    add_test(NAME labs/${lab}
             COMMAND farend run ${CMAKE_SOURCE_DIR}/topologies/${lab}.yaml --out ${lab_runs}/${folder})
    set_tests_properties(labs/${lab} PROPERTIES LABELS "labs;programs" SKIP_RETURN_CODE 3 TIMEOUT 300 RUN_SERIAL ON)
    continue()
  endif()
  foreach(world ${worlds})
    set(repeat ${FAREND_LAB_REPEAT})
    if(world STREQUAL netns AND lab MATCHES "^(wires|kernel)/")
      set(repeat ${FAREND_LAB_REPEAT_SLOW})
    elseif(world STREQUAL netns AND lab MATCHES "${once_in_namespaces}")
      set(repeat 1)
    endif()
    add_test(NAME labs/${lab}/${world}
             COMMAND farend run ${CMAKE_SOURCE_DIR}/topologies/${lab}.yaml --world ${world}
                     --repeat ${repeat} --out ${lab_runs}/${folder}-${world})
    set_tests_properties(labs/${lab}/${world} PROPERTIES LABELS "labs;${world}" SKIP_RETURN_CODE 3 TIMEOUT 1200
                         FIXTURES_SETUP ${folder}-${world})
  endforeach()
  if(NOT promise)
    add_test(NAME labs/${lab}/same
             COMMAND farend diff ${lab_runs}/${folder}-sim ${lab_runs}/${folder}-netns)
    set_tests_properties(labs/${lab}/same PROPERTIES LABELS "labs;netns" SKIP_RETURN_CODE 3
                         FIXTURES_REQUIRED "${folder}-sim;${folder}-netns")
  endif()
endforeach()

# The same labs with the kernel's own NAT in place of farend's: every expectation holds there too.
function(farend_lab_on_kernel lab)
  string(REPLACE "/" "-" folder ${lab})
  set(changes --set promises=verdict)
  foreach(node ${ARGN})
    list(APPEND changes --set nodes.${node}.engine=kernel)
  endforeach()
  add_test(NAME labs/${lab}/kernel
           COMMAND farend run ${CMAKE_SOURCE_DIR}/topologies/${lab}.yaml ${changes} --repeat ${FAREND_LAB_REPEAT_SLOW}
                   --out ${lab_runs}/${folder}-kernel)
  set_tests_properties(labs/${lab}/kernel PROPERTIES LABELS "labs;netns" SKIP_RETURN_CODE 3 TIMEOUT 1200)
endfunction()
farend_lab_on_kernel(calls/double-nat router cgn)
farend_lab_on_kernel(mappings/register-only router)
farend_lab_on_kernel(mappings/register-only-cured router)
farend_lab_on_kernel(mappings/udp-expiry router)
farend_lab_on_kernel(mappings/udp-expiry-cured router)
farend_lab_on_kernel(nat/no-hairpin router)
farend_lab_on_kernel(nat/no-hairpin-cured router)
farend_lab_on_kernel(nat/reboot router)
farend_lab_on_kernel(nat/reboot-cured router)
farend_lab_on_kernel(nat/reboot-during-registration router)
farend_lab_on_kernel(nat/same-nat-shortcut router gateway cgn)
farend_lab_on_kernel(nat/same-nat-shortcut-cured router gateway cgn)
farend_lab_on_kernel(sbc/no-public-address router firewall)
farend_lab_on_kernel(sbc/no-public-address-cured router firewall)
