from shared.cli import main

main("services.inventory")
