import Compute

useWidestInstructions()
FinetuneTool.start()
